package awstarget

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	// maxRow is how long the document of a row may be: an item of DynamoDB is 400 KB at most
	// ("Quotas in Amazon DynamoDB"), with its other attributes and their names.
	maxRow = 380 << 10
	// plainRow is how long a document may be that is stored so that people can read it.
	plainRow = 16 << 10
)

// documentValue is a document as it is stored: packed where it is long. A record with what was
// measured in a watch is.
func documentValue(document string) (types.AttributeValue, error) {
	if len(document) <= plainRow {
		return textValue(document), nil
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := io.WriteString(w, document)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("pack a document: %w", err)
	}
	return &types.AttributeValueMemberB{Value: packed.Bytes()}, nil
}

// documentOf is the reverse of documentValue.
func documentOf(v types.AttributeValue) (string, error) {
	b, ok := v.(*types.AttributeValueMemberB)
	if !ok {
		return textOf(v), nil
	}
	r, err := gzip.NewReader(bytes.NewReader(b.Value))
	if err != nil {
		return "", fmt.Errorf("unpack a document: %w", err)
	}
	document, err := io.ReadAll(r)
	if err != nil {
		return "", fmt.Errorf("unpack a document: %w", err)
	}
	return string(document), nil
}

// documentSize is how much room a stored document takes.
func documentSize(v types.AttributeValue) int {
	if b, ok := v.(*types.AttributeValueMemberB); ok {
		return len(b.Value)
	}
	return len(textOf(v))
}
