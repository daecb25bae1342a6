"""S3: the tags that a bucket is made with.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
"""

from typing import Any

import xmltodict
from added import add_calls
from moto.s3.responses import S3Response

original = S3Response._bucket_response_put


def tags_in(body: Any) -> dict[str, str]:
    config = (xmltodict.parse(body) if body else {}).get("CreateBucketConfiguration") or {}
    found = (config.get("Tags") or {}).get("Tag") or []
    # One alone is no list.
    return {tag["Key"]: tag["Value"] or "" for tag in (found if isinstance(found, list) else [found])}


class Calls:
    def _bucket_response_put(self: Any, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
        result = original(self, request, bucket_name, querystring)
        tags = {} if querystring else tags_in(self.body)
        if tags:
            self.backend.put_bucket_tagging(bucket_name, tags)
        return result


def install() -> None:
    add_calls(S3Response, Calls)
