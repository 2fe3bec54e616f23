package test

import (
	"os/exec"
	"testing"
)

// The unit leaves the service no more rights than it needs: systemd's own measure of that,
// which goes from 0 to 10, is 1.5 at most.
func TestUnit_Exposure(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("*** SKIPPED: systemd-analyze is not installed, install the package systemd")
	}
	cmd := exec.Command(analyze, "security", "--offline=true", "--threshold=15", "--no-pager", "packaging/coredns-addressmap.service")
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
