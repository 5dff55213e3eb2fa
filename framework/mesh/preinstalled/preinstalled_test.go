package preinstalled

import "testing"

func TestSameRelease(t *testing.T) {
	for _, tc := range []struct {
		istioctl, controlPlane string
		same                   bool
	}{
		{"1.23.2-asm.2", "1.23.2-asm.2", true},
		{"1.23.2-asm.2", "1.23.2-asm.2-distroless", true},
		{"1.23.2-asm.2+config1", "1.23.2-asm.2", true},
		{"1.23.2-asm.2", "1.23.2-asm.1", false},
		{"1.23.2", "1.23.2-asm.1", true},
		{"1.24.0", "1.23.2", false},
		{"v0.0.0-20260827124520-eed52ebb66ad", "1.23.2", true}, // cannot be compared
		{"unknown", "1.23.2", true},
		{"1.24.0", "", true},
	} {
		if err := SameRelease(tc.istioctl, tc.controlPlane); (err == nil) != tc.same {
			t.Errorf("istioctl %s, istiod %s: %v", tc.istioctl, tc.controlPlane, err)
		}
	}
}
