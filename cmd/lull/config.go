package main

import (
	"errors"

	"github.com/spf13/cobra"

	"lull/cmd/internal/config"
)

func (s *session) configuration() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "check the configuration, or show the effective values", RunE: incomplete}
	c.AddCommand(s.checkConfig(), s.showConfig())
	return c
}

func (s *session) checkConfig() *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE]",
		Short: "tell every fault of the configuration at once, with its line",
		Args:  atMost(1, "one FILE, by default that of --config"),
		RunE: func(_ *cobra.Command, args []string) error {
			_, err := config.Load(s.configFile(args), config.Flags{State: s.state})
			var faults *config.Faults
			if !errors.As(err, &faults) {
				if err == nil && !s.screen.json {
					return s.screen.say("the configuration is good")
				}
				return err
			}
			if !s.screen.json {
				return err
			}
			for _, f := range faults.List {
				if err := s.screen.object(f); err != nil {
					return err
				}
			}
			return errDiffers
		},
	}
}

func (s *session) showConfig() *cobra.Command {
	var sample bool
	c := &cobra.Command{
		Use:   "show [FILE]",
		Short: "show the effective values, as a file that could be loaded",
		Args:  atMost(1, "one FILE, by default that of --config"),
	}
	c.Flags().BoolVar(&sample, "sample", false, "a sample file instead: every key with its help and default")
	c.RunE = func(_ *cobra.Command, args []string) error {
		if sample {
			return s.screen.write(config.Sample())
		}
		cfg, err := config.Load(s.configFile(args), config.Flags{State: s.state})
		if err != nil {
			return err
		}
		if !s.screen.json {
			return cfg.Write(s.screen)
		}
		for _, k := range cfg.Keys() {
			if err := s.screen.object(k); err != nil {
				return err
			}
		}
		return nil
	}
	return c
}

func (s *session) configFile(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return s.config
}
