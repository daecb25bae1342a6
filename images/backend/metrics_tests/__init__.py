"""Tests with the real packages of the image: prometheus_client, FastAPI, Celery, psycopg (tests/unit/backend/backend-metrics.test.ts)."""
