"""The bucket, as an identity sees it that may write there and do nothing else."""

import base64
import hashlib
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from orcheo_backup.dump import FailedError
from orcheo_backup.settings import RefusedError, Settings

# Answers that another try may not get.
PASSING = {"ExpiredToken", "RequestTimeout", "ThrottlingException"}


class Bucket:
    """Writes objects below the prefix."""

    def __init__(self, settings: Settings) -> None:
        """The credentials are those of the files, else of the pod's identity; never those of the node."""
        key_id, key = settings.credentials or (None, None)
        self.client = botocore.session.get_session().create_client(
            "s3",
            region_name=settings.region,
            endpoint_url=settings.endpoint,
            aws_access_key_id=key_id,
            aws_secret_access_key=key,
            config=Config(
                connect_timeout=10,
                # A large upload is put together before it is answered.
                read_timeout=300,
                retries={"mode": "standard", "total_max_attempts": 5},
                # Stores that are not AWS' have no name for each bucket.
                s3={"addressing_style": "path" if settings.endpoint else "auto"},
                # Sums are given where they are known; not every store takes botocore's own.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        self.name = settings.bucket
        self.encryption: dict[str, Any] = {}
        if settings.kms_key_id:
            self.encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": settings.kms_key_id}

    def ask(self, operation: str, key: str, **arguments: Any) -> dict[str, Any]:
        """One request. Raises RefusedError or FailedError, with the store's own words."""
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
        """A small object."""
        body = text.encode()
        self.ask("put_object", key, Body=body, ChecksumSHA256=sha256(body), **self.encryption)


class Upload:
    """An object in the making: nobody sees any of it before it is completed."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        """Begins it: credentials and bucket are as they should be when this returns."""
        self.bucket, self.key = bucket, key
        begun = bucket.ask("create_multipart_upload", key, ChecksumAlgorithm="SHA256", **bucket.encryption)
        self.id = begun["UploadId"]
        self.parts: list[dict[str, Any]] = []

    def add(self, part: bytearray) -> None:
        """The next part; the store compares the sum."""
        number, checksum = len(self.parts) + 1, sha256(part)
        answer = self.bucket.ask(
            "upload_part", self.key, UploadId=self.id, PartNumber=number, Body=part, ChecksumSHA256=checksum
        )
        self.parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum})

    def complete(self, size: int) -> str | None:
        """Makes the object, which must have this size; returns its version where the bucket keeps versions."""
        answer = self.bucket.ask(
            "complete_multipart_upload",
            self.key,
            UploadId=self.id,
            MultipartUpload={"Parts": self.parts},
            MpuObjectSize=size,
        )
        return answer.get("VersionId")

    def abort(self) -> None:
        """Frees what was uploaded."""
        self.bucket.ask("abort_multipart_upload", self.key, UploadId=self.id)


def sha256(data: bytes | bytearray) -> str:
    """As S3 writes it."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
