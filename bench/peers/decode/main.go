// Reads manifests as linters that are written in Go have to before their first check, with Kubernetes' own libraries:
// "typed" as kube-linter does (client-go decodes each document into its type), "json" as Polaris does (into JSON, at least).
// It checks nothing, so it is the least that either can take.
package main

import (
	"bufio"
	"bytes"
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
			if how == "typed" {
				_, _, err = decoder.Decode(document, nil, nil)
			} else {
				_, err = sigs.YAMLToJSON(document)
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
