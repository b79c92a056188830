//! Tests of student.
