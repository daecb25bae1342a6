// The OpenTelemetry Collector with what the embedded cluster's monitoring needs: spans in, metrics of spans out.
package main

import (
	"github.com/open-telemetry/opentelemetry-collector-contrib/connector/spanmetricsconnector"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"

	"orcheo.local/toolchain/otel-collector/command"
)

// Set when it is built.
var version = "unknown"

func main() {
	command.Run(
		component.BuildInfo{Command: "otel-collector", Description: "spans to metrics", Version: version},
		command.Parts{
			Connectors: []connector.Factory{spanmetricsconnector.NewFactory()},
			Exporters:  []exporter.Factory{otlphttpexporter.NewFactory()},
		},
	)
}
