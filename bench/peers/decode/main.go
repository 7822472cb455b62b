// Reads manifests as linters that are written in Go have to before their first check, with Kubernetes' own libraries:
// "kube-linter" decodes each document into its type with client-go, as kube-linter does; "polaris" parses each document
// twice, once for its kind and once for all of it, and takes the object through JSON and back, as Polaris does (its
// pkg/kube). It checks nothing, so it is the least that either can take.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	sigs "sigs.k8s.io/yaml"
)

func main() {
	how, root := os.Args[1], os.Args[2]
	decoder := scheme.Codecs.UniversalDeserializer()
	documents := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
		for {
			document, err := reader.Read()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			documents++
			switch how {
			case "kube-linter":
				_, _, err = decoder.Decode(document, nil, nil)
			case "polaris":
				err = throughJSON(document)
			default:
				err = fmt.Errorf("there is no way of reading called %q", how)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(documents, "documents")
}

func throughJSON(document []byte) error {
	var kind struct{ Kind string }
	if err := sigs.Unmarshal(document, &kind); err != nil {
		return err
	}
	object := map[string]any{}
	if err := sigs.Unmarshal(document, &object); err != nil {
		return err
	}
	text, err := json.Marshal(object)
	if err != nil {
		return err
	}
	again := map[string]any{}
	return json.Unmarshal(text, &again)
}
