package answer_test

import (
	"testing"
	"time"

	"github.com/addressmap/addressmap/plugin/answer"
	"github.com/addressmap/addressmap/plugin/presence"
)

func init() {
	answer.Remembering = func(tb testing.TB, z answer.Zones) answer.Backend {
		memory := presence.New(time.Hour)
		tb.Cleanup(memory.Close)
		return memory.Around(z)
	}
}
