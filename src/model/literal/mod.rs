//! Secrets that are written out: which texts are one by their shape, by their name and value, or as credentials of a URL. One table
//! serves what is reported and what is hidden. Holds no secret, and keeps none of those that it sees.

pub mod exposed;
mod fakes;
pub mod shapes;
pub mod sites;
pub mod urls;
pub mod value;

pub use fakes::{is_excused, is_fake};

/// Shannon entropy of the characters of a text, in bits a character.
pub fn entropy(text: &str) -> f64 {
    let mut counts = [0usize; 256];
    text.bytes().for_each(|byte| counts[byte as usize] += 1);
    let total = text.len() as f64;
    counts.iter().filter(|&&count| count > 0).map(|&count| count as f64 / total).map(|part| -part * part.log2()).sum()
}

#[cfg(test)]
mod tests;
