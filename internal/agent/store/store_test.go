package store

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

type thing struct {
	Name string `json:"name"`
}

func TestARecordComesBackAsItWasSaved(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "thing.json")
	if err := Save(path, thing{"first"}); err != nil {
		t.Fatal(err)
	}
	if err := Save(path, thing{"<second> & é"}); err != nil {
		t.Fatal(err)
	}
	var got thing
	if err := Load(path, &got); err != nil || got.Name != "<second> & é" {
		t.Fatalf("got %+v, %v", got, err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Fatalf("temporary files were left: %v %v", entries, err)
	}
}

func TestAMissingRecordIsToldFromABadOne(t *testing.T) {
	t.Parallel()
	if err := Load(filepath.Join(t.TempDir(), "none"), &thing{}); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v", err)
	}
}

func TestABadRecordIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "thing.json")
	if err := Save(path, struct {
		Name string `json:"name"`
		More int    `json:"more"`
	}{"a", 1}); err != nil {
		t.Fatal(err)
	}
	unknown, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := Save(path, thing{"good"}); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"empty":                    {},
		"torn":                     good[:len(good)/2],
		"of another format":        bytes.Replace(good, []byte(`"format":1`), []byte(`"format":2`), 1),
		"altered":                  bytes.Replace(good, []byte("good"), []byte("evil"), 1),
		"with something unknown":   unknown,
		"zeroes after a power cut": make([]byte, len(good)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "thing.json")
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			var bad *BadRecordError
			if err := Load(path, &thing{}); !errors.As(err, &bad) {
				t.Fatalf("got %v", err)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(after, content) {
				t.Fatal("the file was touched")
			}
		})
	}
}
