package addressmap

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// buffers are for answers that are written directly: the socket's writer is done with
// one when it returns.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

type buffer = [dns.MinMsgSize]byte

// direct reports whether bytes that are written to w go to the client as they are: no
// plugin before ours wants to see the message, and nothing but the socket is behind
// the server's own writer, which plugins such as shed put something around as well.
// That can only be seen in the writer itself: other server blocks may have done so.
//
// counted says that the block has the prometheus plugin. It counts bytes as it counts
// messages: what it wants to know are the size and the rcode, which it takes for
// NOERROR.
func direct(w dns.ResponseWriter, counted bool) bool {
	for {
		switch in := w.(type) {
		case *request.ScrubWriter:
			return toSocket(in.ResponseWriter)
		case *metrics.Recorder:
			if !counted {
				return false // of a plugin that is not known
			}
			counted = false
			w = in.ResponseWriter
		default:
			if reflect.TypeOf(w) != chainWriter.of {
				return false
			}
			w, _ = reflect.ValueOf(w).Elem().Field(chainWriter.behind).Interface().(dns.ResponseWriter)
		}
	}
}

// toSocket reports whether w is the server's own writer and has nothing around it.
func toSocket(w dns.ResponseWriter) bool {
	v := reflect.ValueOf(w)
	shape := serverWriter.Load()
	if shape == nil {
		if shape = serverShape(v.Type()); shape == nil {
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

// writerShape is how the writers of a kind are made.
type writerShape struct {
	of     reflect.Type // a pointer to a struct
	behind int          // the field that has what bytes are written to
}

// serverWriter is the shape of the writers of miekg/dns's servers, found when one is
// first seen: their type has no name outside its package. Bytes are written to the
// writer itself, or to what is put around it.
var serverWriter atomic.Pointer[writerShape]

// serverShape returns nil for any other writer, and if it is made otherwise than is
// known.
func serverShape(t reflect.Type) *writerShape {
	if !from[dns.Server](t) {
		return nil
	}
	field, ok := t.Elem().FieldByName("writer")
	if !ok || field.Type != reflect.TypeFor[dns.Writer]() || len(field.Index) != 1 {
		return nil
	}
	return &writerShape{t, field.Index[0]}
}

// chainWriter is the shape of what CoreDNS hands a plugin for a writer if there is one
// before it: it takes note of who writes, and nothing else.
var chainWriter = chainShape()

// chainShape returns a shape that no writer has if it is made otherwise than is known.
func chainShape() (shape writerShape) {
	see := func(_ context.Context, w dns.ResponseWriter, _ *dns.Msg) (int, error) {
		t := reflect.TypeOf(w)
		if !from[plugin.HandlerFunc](t) {
			return dns.RcodeSuccess, nil
		}
		field, ok := t.Elem().FieldByName("ResponseWriter")
		if ok && field.Anonymous && field.Type == reflect.TypeFor[dns.ResponseWriter]() && len(field.Index) == 1 {
			shape = writerShape{t, field.Index[0]}
		}
		return dns.RcodeSuccess, nil
	}
	_, _ = plugin.NextOrFailure(pluginName, plugin.HandlerFunc(see), context.Background(), nil, nil) // see returns no error
	return shape
}

// from reports whether t is a pointer to a type of the package that T is of.
func from[T any](t reflect.Type) bool {
	return t.Kind() == reflect.Pointer && t.Elem().PkgPath() == reflect.TypeFor[T]().PkgPath()
}
