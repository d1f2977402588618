//! The map for what is looked up in every request.

/// A hash map whose keys are ours or the catalogue's. Its hashes are seeded for each process and far
/// cheaper than the standard ones, but not meant for keys that a stranger may put in at will.
pub type FastMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;

/// The same without values.
pub type FastSet<K> = std::collections::HashSet<K, foldhash::fast::RandomState>;
