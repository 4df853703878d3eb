"""The auditor: from a folder to a report."""
