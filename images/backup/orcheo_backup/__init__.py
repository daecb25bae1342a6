"""Dumps Orcheo's database straight into an S3 bucket; python3 -m orcheo_backup."""
