// Writes the schema and the bridge's metadata, which the provider embeds: tfgen schema --out DIR
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"

	"github.com/terraform-providers/terraform-provider-random/orcheo/info"
)

func main() {
	tfgen.Main("random", info.Provider([]byte("{}")))
}
