package lane

import "syscall"

// readFlags makes a read return the packets that are there, also in the moment in which a
// reload of the Corefile copies the socket and Go lets it block ([os.File.Fd]): without it,
// a read that begins just then keeps what it gets until there are as many packets as a
// batch has room for.
const readFlags = syscall.MSG_WAITFORONE
