package html

import (
	"reflect"
	"strings"
	"testing"
)

func TestHostileTextsAreNoMarkup(t *testing.T) {
	for _, hostile := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onload='alert(1)`, `javascript:alert(1)`, `https://evil.example/x`,
		`//evil.example/x`, `../../etc/passwd`, `</style><script>alert(1)</script>`, `</title></svg><b>`, "{{.}}", "\x00\xff",
	} {
		p := judged(load(t))
		p.By, p.Diagnostics, p.StandIns, p.Left = "x", []string{"x"}, []string{"x"}, []string{"x"}
		fill(reflect.ValueOf(&p).Elem(), hostile)
		p.EvidenceDir = "evidence"
		page := render(t, p)
		mustBeAlone(t, page)
		mustBeWellFormed(t, page)
		if !strings.HasPrefix(hostile, "\x00") && !strings.Contains(parse(t, page).text, hostile) {
			t.Errorf("%q is not on the page as text", hostile)
		}
	}
}

// fill sets every text in a value, however deep, to one text; bodies of Envoy's and istiod's pages stay.
func fill(v reflect.Value, with string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(with)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), with)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			fill(v.Index(i), with)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			fill(v.Elem(), with)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			value := reflect.New(v.Type().Elem()).Elem()
			value.Set(v.MapIndex(key))
			fill(value, with)
			v.SetMapIndex(key, value)
		}
	case reflect.Interface:
		if _, text := v.Interface().(string); text {
			v.Set(reflect.ValueOf(with))
		}
	default:
	}
}
