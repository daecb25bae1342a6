"""The bucket, for an identity that may only write to it."""

import base64
import hashlib
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from orcheo_backup.dump import FailedError
from orcheo_backup.settings import RefusedError, Settings

# Errors that a retry may not get.
PASSING = {"ExpiredToken", "RequestTimeout", "ThrottlingException"}


class Bucket:
    """Writes objects below the prefix."""

    def __init__(self, settings: Settings) -> None:
        """Credentials come from the files, else from the pod's identity, never from the node."""
        key_id, key = settings.credentials or (None, None)
        self.client = botocore.session.get_session().create_client(
            "s3",
            region_name=settings.region,
            endpoint_url=settings.endpoint,
            aws_access_key_id=key_id,
            aws_secret_access_key=key,
            config=Config(
                connect_timeout=10,
                # The store assembles a large upload before it responds.
                read_timeout=300,
                retries={"mode": "standard", "total_max_attempts": 5},
                # Stores other than AWS have no host name per bucket.
                s3={"addressing_style": "path" if settings.endpoint else "auto"},
                # Checksums are passed explicitly where known; not every store accepts botocore's own.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        self.name = settings.bucket
        self.encryption: dict[str, Any] = {}
        if settings.kms_key_id:
            self.encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": settings.kms_key_id}

    def ask(self, operation: str, key: str, **arguments: Any) -> dict[str, Any]:
        """One request. Raises RefusedError or FailedError with the store's own message."""
        try:
            return getattr(self.client, operation)(Bucket=self.name, Key=key, **arguments)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            kind = RefusedError if status in (400, 401, 403, 404) and code not in PASSING else FailedError
            raise kind(f"s3://{self.name}/{key}: {error}") from error
        except BotoCoreError as error:
            raise FailedError(f"s3://{self.name}/{key}: {error}") from error

    def put(self, key: str, text: str) -> None:
        """Writes a small object."""
        body = text.encode()
        self.ask("put_object", key, Body=body, ChecksumSHA256=sha256(body), **self.encryption)


class Upload:
    """A multipart upload: nothing of it is visible before it is completed."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        """Starts it: when this returns, credentials and bucket are valid."""
        self.bucket, self.key = bucket, key
        begun = bucket.ask("create_multipart_upload", key, ChecksumAlgorithm="SHA256", **bucket.encryption)
        self.id = begun["UploadId"]
        self.parts: list[dict[str, Any]] = []

    def add(self, part: bytearray) -> None:
        """Uploads the next part; the store verifies its checksum."""
        number, checksum = len(self.parts) + 1, sha256(part)
        answer = self.bucket.ask(
            "upload_part", self.key, UploadId=self.id, PartNumber=number, Body=part, ChecksumSHA256=checksum
        )
        self.parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum})

    def complete(self, size: int) -> str | None:
        """Completes the object, which must have this size; returns its version if the bucket is versioned."""
        answer = self.bucket.ask(
            "complete_multipart_upload",
            self.key,
            UploadId=self.id,
            MultipartUpload={"Parts": self.parts},
            MpuObjectSize=size,
        )
        return answer.get("VersionId")

    def abort(self) -> None:
        """Aborts the upload and deletes its parts."""
        self.bucket.ask("abort_multipart_upload", self.key, UploadId=self.id)


def sha256(data: bytes | bytearray) -> str:
    """As S3 writes it."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
