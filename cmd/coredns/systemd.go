package main

import (
	"sync"
	"time"

	"github.com/coredns/caddy"
	"github.com/coreos/go-systemd/v22/daemon"
)

// tellSystemd tells the service manager that started the process, if one did, that the
// server is ready: it answers, and a version of each map is in force. From then on it tells
// the watchdog of the manager that the process runs, if the manager asks for that.
func tellSystemd() {
	var once sync.Once
	caddy.RegisterEventHook("systemd", func(event caddy.EventName, _ any) (err error) {
		if event == caddy.InstanceStartupEvent {
			once.Do(func() { err = tellReady() })
		}
		return err
	})
}

func tellReady() error {
	if told, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil || !told {
		return err
	}
	patience, err := daemon.SdWatchdogEnabled(false)
	if err != nil || patience == 0 {
		return err
	}
	go func() {
		for range time.Tick(patience / 2) {
			_, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog) // The manager notices where this fails.
		}
	}()
	return nil
}
