package intent

import "cmp"

// GuideNamespace is where the guide puts its sample, sleep and helloworld (S10).
const GuideNamespace = "sample"

// Namespace is where this run expects the guide's sample.
func (i Intent) Namespace() string { return cmp.Or(i.SampleNamespace, GuideNamespace) }

// InNamespace gives the intent with the guide's sample in that namespace. Where the guide itself puts it, and for "", the
// intent says nothing of it, as those of earlier versions do.
func (i Intent) InNamespace(name string) Intent {
	if name == GuideNamespace {
		name = ""
	}
	i.SampleNamespace = name
	return i
}
