// One binary for the three parts of cert-manager: its own mains are modules of their own that no module proxy has, so
// this one starts the same packages with their defaults. The embedded cluster has no ACME: those controllers stay off.
package main

import (
	"context"
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
	name := ""
	if len(os.Args) == 2 {
		name = os.Args[1]
	}
	run, known := parts[name]
	if !known {
		fmt.Fprintf(os.Stderr, "found %q; controller, webhook or cainjector is accepted\n", os.Args[1:])
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
