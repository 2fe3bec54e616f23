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
		fmt.Fprintf(&b, "%s is closed\n", strong.Sprint(e.Name))
		for _, p := range e.Refused {
			fmt.Fprintf(&b, "├─ refused  %s%s\n", p.What, p.where())
		}
		e.writeAnswers(&b)
		fmt.Fprintf(&b, "└─ SERVFAIL from a server that starts with this map: %s\n", e.Closed)
		_, err := io.WriteString(out, b.String())
		return err
	}
	fmt.Fprintf(&b, "%s is %s\n", strong.Sprint(e.Name), good.Sprint(word(e.Proxied)))
	if e.Zone == nil {
		e.writeAnswers(&b)
		b.WriteString("└─ no zone of the map encloses it: see the option unlisted (R29)\n")
		_, err := io.WriteString(out, b.String())
		return err
	}
	fmt.Fprintf(&b, "├─ zone     %s, account %s%s\n", e.Zone.What, e.Account, e.Zone.where())
	fmt.Fprintf(&b, "├─ mark     %s%s\n", e.Mark.What, e.Mark.where())
	for _, a := range e.Alternatives {
		fmt.Fprintf(&b, "├─ R8       if %s: %s\n", a.If, a)
	}
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
		for _, d := range s.Drained {
			fmt.Fprintf(&b, "│                     drained %s%s %s\n", d, dim.Sprintf(" (%s)", d.At), dim.Sprint("["+strings.Join(d.IPs, " ")+"]"))
		}
		for _, w := range s.Withdrawn {
			fmt.Fprintf(&b, "│                     withdrawn with prefix %s%s %s\n", w.Prefix, w.Place.where(), dim.Sprint("["+strings.Join(w.IPs, " ")+"]"))
		}
	}
	e.writeAnswers(&b)
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
		s.Withdrawn = slices.Clone(s.Withdrawn)
		for j := range s.Withdrawn {
			s.Withdrawn[j].Place = s.Withdrawn[j].Place.visible()
		}
		s.Drained = slices.Clone(s.Drained)
		for j := range s.Drained {
			s.Drained[j] = s.Drained[j].visible()
		}
	}
	out.Refused = slices.Clone(e.Refused)
	for i := range out.Refused {
		out.Refused[i] = *out.Refused[i].visible()
	}
	out.Alternatives = slices.Clone(e.Alternatives)
	for i := range out.Alternatives {
		a := &out.Alternatives[i]
		a.If, a.Zone, a.Mark = printable.Line(a.If), a.Zone.visible(), a.Mark.visible()
	}
	out.Answers = slices.Clone(e.Answers)
	for i := range out.Answers {
		if s := out.Answers[i].Server; s != nil {
			out.Answers[i].Server = &serverAnswer{printable.Line(s.Answer), s.Verdict, printable.Line(s.Why)}
		}
	}
	return &out
}

func (p *place) visible() *place {
	if p == nil {
		return nil
	}
	return &place{printable.Line(p.What), printable.Line(p.File), p.Line}
}

// String is the answer in one line, without its type.
func (a typeAnswer) String() string {
	made := strings.Join(slices.Concat(a.Addresses, a.Records), " ")
	if made == "" {
		return a.Text
	}
	return strings.TrimSuffix(good.Sprint(made)+", "+a.Text, ", ")
}

// String is what is decided, and by what.
func (a alternative) String() string {
	if a.Zone == nil {
		return word(a.Proxied)
	}
	text := fmt.Sprintf("%s, %s of zone %s%s", word(a.Proxied), a.Mark.What, a.Zone.What, a.Mark.where())
	if len(a.Addresses) > 0 {
		text += " " + dim.Sprint("["+strings.Join(a.Addresses, " ")+"]")
	}
	return text
}

// writeAnswers prints the answer for each type, and a server's beneath it.
func (e *explanation) writeAnswers(b *strings.Builder) {
	for i, a := range e.Answers {
		head := "├─ answers "
		if i > 0 {
			head = "│          "
		}
		fmt.Fprintf(b, "%s %-5s %s\n", head, a.Type, a)
		if a.Server != nil {
			fmt.Fprintf(b, "│                 %s\n", a.Server)
		}
	}
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
