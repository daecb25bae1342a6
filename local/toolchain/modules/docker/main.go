// Docker's own command, cut down to `docker login` and `docker logout`: the whole command needs modules that no module proxy has.
package main

import (
	"fmt"
	"os"

	"github.com/docker/cli/cli"
	"github.com/docker/cli/cli/command"
	_ "github.com/docker/cli/cli/command/registry"
	"github.com/docker/cli/internal/commands"
	"github.com/spf13/cobra"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	dockerCLI, err := command.NewDockerCli()
	if err != nil {
		return err
	}
	root := &cobra.Command{Use: "docker", SilenceUsage: true, SilenceErrors: true}
	options, _ := cli.SetupRootCommand(root)
	for _, each := range commands.Commands() {
		root.AddCommand(each(dockerCLI))
	}
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		options.SetDefaultOptions(root.Flags())
		return dockerCLI.Initialize(options)
	}
	return root.Execute()
}
