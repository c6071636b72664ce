//! C and C++ programs: compiled for a check, or by the CMake project in `tests`.

pub(crate) mod compiler;
pub(crate) mod programs;
pub(crate) mod suite;
