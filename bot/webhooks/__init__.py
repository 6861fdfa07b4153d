"""Webhooks without I/O: headers and bytes in, one verified and typed event out.

Each module speaks for one sender and has one function, `parse`. It raises only what `errors` draws.
"""
