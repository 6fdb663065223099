/// Text that a compressor cannot make much smaller, always the same: xorshift64 (Marsaglia 2003).
pub fn noise(bytes: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b' ' + u8::try_from(state % 95).expect("below 95"))
    };
    (0..bytes).map(|_| next()).collect()
}
