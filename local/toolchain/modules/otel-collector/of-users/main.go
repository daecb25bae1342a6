// The OpenTelemetry Collector of a user, for the tests: metrics by OTLP and log files in, signed remote write and OTLP out. A distribution
// of the collector has the same parts, and many more.
package main

import (
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusremotewriteexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/healthcheckextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/sigv4authextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/receiver"

	"orcheo.local/toolchain/otel-collector/command"
)

// Set when it is built.
var version = "unknown"

func main() {
	command.Run(
		component.BuildInfo{Command: "collector-of-users", Description: "metrics and logs", Version: version},
		command.Parts{
			Receivers:  []receiver.Factory{filelogreceiver.NewFactory()},
			Exporters:  []exporter.Factory{prometheusremotewriteexporter.NewFactory(), otlphttpexporter.NewFactory()},
			Extensions: []extension.Factory{healthcheckextension.NewFactory(), sigv4authextension.NewFactory()},
		},
	)
}
