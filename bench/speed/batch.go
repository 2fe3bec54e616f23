package main

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
)

// batch returns how many packets the lane of a server answered a read so far, or 0 if the
// server has no metrics or no lane.
func (e *entrant) batch() float64 {
	if e.block == nil || !strings.Contains(e.block(zone{}), prometheus) {
		return 0
	}
	resp, err := http.Get("http://127.0.0.1:" + e.metrics + "/metrics?name[]=coredns_addressmap_lane_responses_total&name[]=coredns_addressmap_lane_batches_total")
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	var responses, batches float64
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), "} ")
		var n float64
		fmt.Sscan(value, &n)
		switch {
		case strings.HasPrefix(name, "coredns_addressmap_lane_responses_total{"):
			responses += n
		case strings.HasPrefix(name, "coredns_addressmap_lane_batches_total{"):
			batches += n
		}
	}
	return responses / max(batches, 1)
}
