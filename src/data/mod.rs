//! Questions from files, and the generated world of the demo.
