//! The numbers of the pcapng format that its reader and its writer share.

// Block types.
pub(super) const SECTION: u32 = 0x0a0d_0d0a;
pub(super) const INTERFACE: u32 = 1;
pub(super) const PACKET: u32 = 2;
pub(super) const SIMPLE_PACKET: u32 = 3;
pub(super) const ENHANCED_PACKET: u32 = 6;
pub(super) const DECRYPTION_SECRETS: u32 = 10;

// Options.
pub(super) const END_OF_OPTIONS: u16 = 0;
/// Of a section.
pub(super) const USER_APPLICATION: u16 = 4;
/// Of an interface.
pub(super) const TIME_RESOLUTION: u16 = 9;
pub(super) const TIME_OFFSET: u16 = 14;

/// The bytes of a block besides its body: type and length before it, and the length repeated after it.
pub(super) const BLOCK_FRAME: usize = 12;
