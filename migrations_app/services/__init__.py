"""Every change to servers, jobs and limits."""
