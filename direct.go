package addressmap

import (
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// buffers are for answers that are written directly: the socket's writer is done with
// one when it returns.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

type buffer = [dns.MinMsgSize]byte

// direct reports whether bytes that are written to w go to the client as they are: no
// plugin before ours wants to see the answer, and nothing but the socket is behind
// the server's own writer, which plugins such as shed put something around as well.
// That can only be seen in the writer itself: other server blocks may have done so.
func direct(w dns.ResponseWriter) bool {
	scrub, ok := w.(*request.ScrubWriter)
	if !ok {
		return false
	}
	v := reflect.ValueOf(scrub.ResponseWriter)
	shape := serverWriter.Load()
	if shape == nil {
		if shape = shapeOf(v.Type()); shape == nil {
			return false
		}
		serverWriter.Store(shape)
	}
	if v.Type() != shape.of {
		return false
	}
	behind := v.Elem().Field(shape.behind).Elem()
	return behind.IsValid() && behind.Type() == shape.of
}

// writerShape is how miekg/dns makes the writers of a server.
type writerShape struct {
	of     reflect.Type
	behind int // the field that has what bytes are written to: the writer itself, or what is put around it
}

// serverWriter is found when it is first seen: its type has no name outside its
// package.
var serverWriter atomic.Pointer[writerShape]

// shapeOf returns nil for any other writer, and if it is made otherwise than is known.
func shapeOf(t reflect.Type) *writerShape {
	if t.Kind() != reflect.Pointer || t.Elem().PkgPath() != reflect.TypeFor[dns.Server]().PkgPath() {
		return nil
	}
	field, ok := t.Elem().FieldByName("writer")
	if !ok || field.Type != reflect.TypeFor[dns.Writer]() || len(field.Index) != 1 {
		return nil
	}
	return &writerShape{t, field.Index[0]}
}
