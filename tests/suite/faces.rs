//! Tests of faces.
