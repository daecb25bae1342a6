// Package codegen has the settings that a provider's schema carries for the .NET SDK generator.
package codegen

// CSharpPackageInfo is written into the schema, which the run of the provider does not read.
type CSharpPackageInfo struct {
	RespectSchemaVersion bool              `json:"respectSchemaVersion,omitempty"`
	PackageReferences    map[string]string `json:"packageReferences,omitempty"`
}
