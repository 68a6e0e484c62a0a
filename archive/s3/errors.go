package s3

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"

	"github.com/minio/minio-go/v7"
)

// explain says what failed, on which object, and for what servers say often what to do.
func (s *Store) explain(doing, name string, err error) error {
	if err == nil {
		return nil
	}
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		var unknown x509.UnknownAuthorityError
		if errors.As(err, &unknown) {
			err = fmt.Errorf("%w; if the server has a certificate of an authority of your own, name its file (caFile)", err)
		}
		return fmt.Errorf("archive %s: %s %s: %w", s, doing, name, err)
	}
	if answer.Code == minio.NoSuchKey || answer.Code == "" && answer.StatusCode == 404 {
		return fmt.Errorf("archive %s: %s %s: %w", s, doing, name, fs.ErrNotExist)
	}
	if hint := s.hint(answer.Code); hint != "" {
		err = fmt.Errorf("%w (%s); %s", err, answer.Code, hint)
	}
	return fmt.Errorf("archive %s: %s %s: %w", s, doing, name, err)
}

func (s *Store) hint(code string) string {
	switch code {
	case minio.NoSuchBucket:
		return fmt.Sprintf("make the bucket %s, or correct its name", s.options.Bucket)
	case minio.AccessDenied, "AllAccessDisabled":
		return "the key is known, and its policy does not permit this: ListBucket, GetObject, PutObject and DeleteObject are needed, the last for locks at least"
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurity":
		return "the access key or its secret is wrong"
	case "ExpiredToken", "InvalidToken":
		return "the session's credentials have run out"
	case "RequestTimeTooSkewed":
		return "the clock of this machine, or the server's, is wrong"
	case "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect":
		return "the bucket is in another region, or at another endpoint: correct it"
	case "InvalidObjectState":
		return "the object is in a storage class that has to be fetched back first: have the bucket's rules leave the archive in a class that can be read"
	case "InvalidStorageClass":
		return fmt.Sprintf("the server does not have the storage class %q", s.options.StorageClass)
	case "QuotaExceeded", "XMinioStorageFull", "EntityTooLarge":
		return "there is no room"
	}
	return ""
}
