"""The first page of `/desk/`, for people who are in no LMS course."""

from microcred.web.desk.pages import blueprint

__all__ = ["blueprint"]
