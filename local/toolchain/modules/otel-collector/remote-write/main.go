// The OpenTelemetry Collector of a user who sends metrics to Amazon Managed Service for Prometheus, for the tests: OTLP in, signed
// remote write out. A distribution of the collector has the same parts, and many more.
package main

import (
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusremotewriteexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/sigv4authextension"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension"

	"orcheo.local/toolchain/otel-collector/command"
)

// Set when it is built.
var version = "unknown"

func main() {
	command.Run(
		component.BuildInfo{Command: "remote-write", Description: "metrics to remote write", Version: version},
		command.Parts{
			Exporters:  []exporter.Factory{prometheusremotewriteexporter.NewFactory()},
			Extensions: []extension.Factory{sigv4authextension.NewFactory()},
		},
	)
}
