// One binary for the three parts of cert-manager: its own mains are modules of their own that no module proxy has, so
// this one starts the same packages with their defaults.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/cert-manager/cert-manager/pkg/logs"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	parts := map[string]func(context.Context) error{"controller": runController, "webhook": runWebhook, "cainjector": runInjector}
	flag.StringVar(&solverImage, "acme-http01-solver-image", "", "image of the pods that answer HTTP-01 challenges")
	flag.BoolVar(&gatewayAPI, "enable-gateway-api", false, "answer HTTP-01 challenges through Gateways too; their definitions must be there")
	flag.Parse()
	name := flag.Arg(0)
	run, known := parts[name]
	if !known || flag.NArg() > 1 {
		fmt.Fprintf(os.Stderr, "found %q; controller, webhook or cainjector is accepted\n", flag.Args())
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	ctrl.SetLogger(klog.Background())
	if err := run(logs.NewContext(ctx, klog.Background(), name)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
