// Package info describes HashiCorp's random provider to Pulumi's Terraform bridge. The module's path begins with the
// provider's own so that Go lets it import the provider's internal package.
package info

import (
	"context"
	"unicode"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	bridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	bridgetokens "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"github.com/terraform-providers/terraform-provider-random/internal/provider"
)

// Version is that of the npm package @pulumi/random whose types the provider answers.
const Version = "4.21.2"

// Provider maps random_password to random:index/randomPassword:RandomPassword, and so on.
func Provider(metadata []byte) bridge.ProviderInfo {
	info := bridge.ProviderInfo{
		P:                tfbridge.ShimProvider(provider.New()),
		Name:             "random",
		Version:          Version,
		MetadataInfo:     bridge.NewProviderMetadata(metadata),
		UpstreamRepoPath: ".",
	}
	info.MustComputeTokens(bridgetokens.SingleModule("random_", "index", func(_, name string) (string, error) {
		first := []rune("Random" + name)
		lower := append([]rune{unicode.ToLower(first[0])}, first[1:]...)
		return string(tokens.Type("random:index/" + string(lower) + ":" + string(first))), nil
	}))
	// What has no id of its own gets a constant one: its value is often a secret and must not become the id.
	for name, res := range info.Resources {
		if _, has := info.P.ResourcesMap().Get(name).Schema().GetOk("id"); !has {
			res.ComputeID = func(context.Context, resource.PropertyMap) (resource.ID, error) { return "none", nil }
		}
	}
	return info
}
