// Package java has the settings that a provider's schema carries for the Java SDK generator.
package java

// PackageInfo is written into the schema, which the run of the provider does not read.
type PackageInfo struct {
	BuildFiles                      string            `json:"buildFiles,omitempty"`
	GradleNexusPublishPluginVersion string            `json:"gradleNexusPublishPluginVersion,omitempty"`
	Dependencies                    map[string]string `json:"dependencies,omitempty"`
}
