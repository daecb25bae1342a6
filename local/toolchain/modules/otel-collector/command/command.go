// Package command is the collector's command line with chosen parts.
package command

import (
	"log"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/memorylimiterprocessor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
)

// Parts are those besides what every collector here has: OTLP in, and a limit of its memory.
type Parts struct {
	Receivers  []receiver.Factory
	Connectors []connector.Factory
	Exporters  []exporter.Factory
	Extensions []extension.Factory
}

func (parts Parts) factories() (all otelcol.Factories, err error) {
	all.Telemetry = otelconftelemetry.NewFactory()
	if all.Receivers, err = otelcol.MakeFactoryMap(append(parts.Receivers, otlpreceiver.NewFactory())...); err != nil {
		return
	}
	if all.Processors, err = otelcol.MakeFactoryMap[processor.Factory](memorylimiterprocessor.NewFactory()); err != nil {
		return
	}
	if all.Connectors, err = otelcol.MakeFactoryMap(parts.Connectors...); err != nil {
		return
	}
	if all.Exporters, err = otelcol.MakeFactoryMap(parts.Exporters...); err != nil {
		return
	}
	all.Extensions, err = otelcol.MakeFactoryMap(parts.Extensions...)
	return
}

// Run does what the arguments say; it reads its configuration from files alone.
func Run(info component.BuildInfo, parts Parts) {
	settings := otelcol.CollectorSettings{
		BuildInfo: info,
		Factories: parts.factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{
			ResolverSettings: confmap.ResolverSettings{
				DefaultScheme:     "file",
				ProviderFactories: []confmap.ProviderFactory{fileprovider.NewFactory()},
			},
		},
	}
	if err := otelcol.NewCommand(settings).Execute(); err != nil {
		log.Fatal(err)
	}
}
