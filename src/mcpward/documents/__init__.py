"""What is not code: manifests, settings and client configurations, with the place of every part."""
