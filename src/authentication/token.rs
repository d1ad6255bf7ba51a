//! Methods whose data fits into CONNECT: a signed token (OAuth 2.0, a JWT), a ticket or a key.

use std::fmt;
use zeroize::Zeroizing;

/// The authentication data of CONNECT. It is wiped on drop, and `Debug` does not show it.
pub(crate) struct Token(Option<Zeroizing<Vec<u8>>>);

impl Token {
    /// Takes the data; a method may need none.
    pub(crate) fn new(data: Option<Vec<u8>>) -> Token {
        Token(data.map(Zeroizing::new))
    }

    pub(crate) fn data(&self) -> Option<&[u8]> {
        self.0.as_ref().map(|data| data.as_slice())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
