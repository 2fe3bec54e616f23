package addressmap

// Ready implements the ready.Readiness interface: a version is in force. The
// server does not start before one is.
func (a *AddressMap) Ready() bool { return a.current.Snapshot() != nil }
