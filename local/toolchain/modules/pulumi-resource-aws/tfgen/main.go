// Writes the schema and the bridge's metadata, which the provider embeds: tfgen schema --out DIR
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"

	"github.com/hashicorp/terraform-provider-aws/orcheo/info"
)

func main() {
	tfgen.MainWithMuxer("aws", info.Provider([]byte("{}")))
}
