// Package info describes HashiCorp's AWS provider to Pulumi's Terraform bridge: the types of types.json, under the names of the
// npm package @pulumi/aws. The module's path begins with the provider's own so that Go lets it import the provider's packages.
package info

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	pftfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	bridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/hashicorp/terraform-provider-aws/xpprovider"
)

// Version is that of the npm package @pulumi/aws whose types the provider answers. The provider itself is older
// (terraform-provider-aws 6.34.0): tests/verdicts/aws-schema.test.ts lists the differences.
const Version = "7.48.0"

// Written by `npm run aws-types`.
//
//go:embed types.json
var typesFile []byte

var many, one = false, true

// What @pulumi/aws names or nests differently from the bridge's rules.
var fields = map[string]map[string]*bridge.SchemaInfo{
	"aws_security_group":          {"ingress": {Name: "ingress"}, "egress": {Name: "egress"}},
	"aws_default_security_group":  {"ingress": {Name: "ingress"}, "egress": {Name: "egress"}},
	"aws_sns_topic_subscription":  {"topic_arn": {Name: "topic"}},
	"aws_cloudwatch_metric_alarm": {"alarm_name": {Name: "name"}},
	"aws_eks_cluster":             {"certificate_authority": {Name: "certificateAuthority", MaxItemsOne: &one}},
	"aws_elasticache_replication_group": {
		"at_rest_encryption_enabled": {Type: "boolean"},
		"auto_minor_version_upgrade": {Type: "boolean"},
	},
	"aws_route53_record": {
		"alias":                      {Name: "aliases", MaxItemsOne: &many},
		"failover_routing_policy":    {Name: "failoverRoutingPolicies", MaxItemsOne: &many},
		"geolocation_routing_policy": {Name: "geolocationRoutingPolicies", MaxItemsOne: &many},
		"latency_routing_policy":     {Name: "latencyRoutingPolicies", MaxItemsOne: &many},
		"weighted_routing_policy":    {Name: "weightedRoutingPolicies", MaxItemsOne: &many},
	},
}

// Inputs of the program that only newer versions of the provider know. They are left out: nothing is shown of them.
var newer = map[string][]resource.PropertyKey{
	"aws_rds_cluster": {"autoMinorVersionUpgrade"},
}

// Fields that are the id of what has none.
var ids = map[string]resource.PropertyKey{
	"aws_prometheus_workspace_configuration": "workspaceId",
}

// Provider maps aws_vpc to aws:ec2/vpc:Vpc, and so on.
func Provider(metadata []byte) bridge.ProviderInfo {
	ctx := context.Background()
	framework, sdk, err := xpprovider.GetProvider(ctx)
	if err != nil {
		panic(err)
	}
	var types struct{ Resources, Functions map[string]string }
	if err := json.Unmarshal(typesFile, &types); err != nil {
		panic(err)
	}
	info := bridge.ProviderInfo{
		P:                pftfbridge.MuxShimWithPF(ctx, shimv2.NewProvider(sdk), framework),
		Name:             "aws",
		Version:          Version,
		MetadataInfo:     bridge.NewProviderMetadata(metadata),
		UpstreamRepoPath: ".",
		Resources:        map[string]*bridge.ResourceInfo{},
		DataSources:      map[string]*bridge.DataSourceInfo{},
		IgnoreMappings:   []string{"arn_build", "arn_parse", "trim_iam_role_path", "user_agent"},
	}
	for name, token := range known(&info, "resource", info.P.ResourcesMap(), types.Resources) {
		module, kind, _ := strings.Cut(token, "/")
		info.Resources[name] = &bridge.ResourceInfo{Tok: bridge.MakeResource("aws", module, kind), Fields: fields[name]}
		if id := ids[name]; id != "" {
			info.Resources[name].ComputeID = bridge.DelegateIDField(id, info.Name, info.UpstreamRepoPath)
		}
		if unknown := newer[name]; unknown != nil {
			info.Resources[name].PreCheckCallback = without(unknown)
		}
	}
	for name, token := range known(&info, "data source", info.P.DataSourcesMap(), types.Functions) {
		module, function, _ := strings.Cut(token, "/")
		info.DataSources[name] = &bridge.DataSourceInfo{Tok: bridge.MakeDataSource("aws", module, function)}
	}
	info.SetAutonaming(255, "-")
	return info
}

func without(inputs []resource.PropertyKey) bridge.PreCheckCallback {
	return func(_ context.Context, config, _ resource.PropertyMap) (resource.PropertyMap, error) {
		left := config.Copy()
		for _, input := range inputs {
			delete(left, input)
		}
		return left, nil
	}
}

// known has the bridge ignore what the table does not name, and refuses what the provider does not have.
func known(info *bridge.ProviderInfo, kind string, all shim.ResourceMap, wanted map[string]string) map[string]string {
	all.Range(func(name string, _ shim.Resource) bool {
		if _, ok := wanted[name]; !ok {
			info.IgnoreMappings = append(info.IgnoreMappings, name)
		}
		return true
	})
	for name, token := range wanted {
		if _, ok := all.GetOk(name); !ok {
			panic(fmt.Sprintf("%s: terraform-provider-aws as it is compiled here has no %s %s (tests/aws-types.ts makes the name, "+
				"cut/service_packages_gen.go has the services)", token, kind, name))
		}
	}
	return wanted
}
