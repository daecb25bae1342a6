"""A versioned bucket, a KMS key, and two users: the backup's with the policy given as argument, and an operator's."""

import json
import ssl
import sys
import urllib.request

import boto3

s3, iam, kms = (boto3.client(name) for name in ("s3", "iam", "kms"))
s3.create_bucket(Bucket="orcheo-data", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
s3.put_bucket_versioning(Bucket="orcheo-data", VersioningConfiguration={"Status": "Enabled"})
everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
kms.create_alias(AliasName="alias/backups", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
made = {}
for name, policy in (("backup", sys.argv[1]), ("operator", json.dumps(everything))):
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    made[name] = {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}
# From now on who asks, and what they may, is looked at.
url = "https://localhost:8443/moto-api/reset-auth"
request = urllib.request.Request(url, b"0", {"Content-Type": "text/plain"})
urllib.request.urlopen(request, context=ssl.create_default_context(cafile="/tls/ca.crt")).read()
print(json.dumps(made))
