package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/fatih/color"

	"github.com/addressmap/addressmap/plugin/printable"
)

// The colours of an explanation. The library leaves colours out if the output is no
// terminal, or NO_COLOR is set.
var (
	good   = color.New(color.FgGreen)
	dim    = color.New(color.Faint)
	strong = color.New(color.Bold)
)

// writeExplanation prints an explanation as a tree for people.
func writeExplanation(out io.Writer, e *explanation) error {
	if out != os.Stdout {
		color.NoColor = true
	}
	e = e.visible()
	var b strings.Builder
	if e.Closed != "" {
		_, err := fmt.Fprintf(out, "%s is closed\n└─ SERVFAIL from a server that starts with this map: %s\n", strong.Sprint(e.Name), e.Closed)
		return err
	}
	fmt.Fprintf(&b, "%s is %s\n", strong.Sprint(e.Name), good.Sprint(word(e.Proxied)))
	if e.Zone == nil {
		b.WriteString("└─ no zone of the map encloses it\n")
		_, err := io.WriteString(out, b.String())
		return err
	}
	fmt.Fprintf(&b, "├─ zone     %s, account %s%s\n", e.Zone.What, e.Account, e.Zone.where())
	fmt.Fprintf(&b, "├─ mark     %s%s\n", e.Mark.What, e.Mark.where())
	for i, s := range e.Steps {
		head, sign := "│          ", dim.Sprint("✗")
		if i == 0 {
			head = "├─ steps    "[:len("├─ steps    ")-1]
		}
		if s.Applies {
			sign = good.Sprint("✓")
		}
		name := s.Step
		if s.Map != "" {
			name += " " + s.Map
		}
		fmt.Fprintf(&b, "%s %s %-8s %s%s", head, sign, name, s.Reason, s.Place.where())
		if len(s.IPs) > 0 {
			fmt.Fprintf(&b, " %s", dim.Sprint("["+strings.Join(s.IPs, " ")+"]"))
		}
		b.WriteByte('\n')
	}
	for i, a := range e.Answers {
		head := "├─ answers "
		if i > 0 {
			head = "│          "
		}
		fmt.Fprintf(&b, "%s %-5s %s", head, a.Type, good.Sprint(strings.Join(a.Addresses, " ")))
		if a.Text != "" {
			b.WriteString(strings.TrimLeft(" "+a.Text, " "))
		}
		b.WriteByte('\n')
	}
	sni := e.DefaultSNI
	if sni == "" {
		sni = "none"
	}
	fmt.Fprintf(&b, "└─ ttl      %d, default SNI %s\n", e.TTL, sni)
	_, err := io.WriteString(out, b.String())
	return err
}

// visible returns the explanation with all texts of the map made visible: what is printed
// has colours in it, and is not made visible as a whole.
func (e *explanation) visible() *explanation {
	out := *e
	out.Account, out.DefaultSNI = printable.Line(e.Account), printable.Line(e.DefaultSNI)
	out.Zone, out.Mark = e.Zone.visible(), e.Mark.visible()
	out.Steps = slices.Clone(e.Steps)
	for i := range out.Steps {
		s := &out.Steps[i]
		s.Map, s.Reason, s.Place = printable.Line(s.Map), printable.Line(s.Reason), s.Place.visible()
	}
	return &out
}

func (p *place) visible() *place {
	if p == nil {
		return nil
	}
	return &place{printable.Line(p.What), printable.Line(p.File), p.Line}
}

// where is the file and line of a place in parentheses, or "".
func (p *place) where() string {
	if p == nil || p.File == "" {
		return ""
	}
	return dim.Sprintf(" (%s:%d)", p.File, p.Line)
}

func word(proxied bool) string {
	if proxied {
		return "proxied"
	}
	return "unproxied"
}
