//! The words that two people read to each other over the telephone when their nodes peer.

/// Short, common English words that sound apart; one byte picks one of them.
/// The order is part of the protocol: two nodes with different lists show different words.
pub const WORDS: [&str; 256] = [
    "acorn", "agent", "album", "amber", "anchor", "apple", "apron", "arch", "arrow", "atlas", "bacon", "badge",
    "bakery", "bamboo", "banjo", "barrel", "basket", "beacon", "beetle", "bell", "bicycle", "biscuit", "blanket",
    "bottle", "bread", "bridge", "broom", "bucket", "butter", "button", "cabin", "cactus", "camel", "candle", "canoe",
    "carpet", "castle", "cello", "cherry", "chimney", "circus", "clock", "clover", "coffee", "comet", "compass",
    "copper", "coral", "cotton", "cradle", "crane", "crystal", "cushion", "daisy", "desert", "diamond", "dinner",
    "dolphin", "donkey", "dragon", "drum", "dusk", "eagle", "echo", "elbow", "elephant", "engine", "envelope",
    "fabric", "falcon", "feather", "fern", "ferry", "fiddle", "finger", "flame", "flute", "forest", "fossil",
    "fountain", "fox", "galaxy", "garden", "garlic", "gate", "giant", "ginger", "giraffe", "glove", "goat", "gold",
    "gravel", "guitar", "hammer", "harbour", "harvest", "hazel", "helmet", "heron", "hockey", "honey", "hotel",
    "husky", "iceberg", "igloo", "insect", "iron", "island", "ivory", "jacket", "jaguar", "jelly", "jewel", "jigsaw",
    "judge", "jungle", "juniper", "kangaroo", "kettle", "kidney", "kitchen", "knight", "koala", "ladder", "lagoon",
    "lantern", "lemon", "leopard", "library", "lily", "linen", "lizard", "lobster", "lunch", "magnet", "mammoth",
    "mango", "maple", "marble", "meadow", "melon", "mirror", "monkey", "mosaic", "motor", "museum", "mushroom",
    "napkin", "needle", "nephew", "noodle", "north", "nutmeg", "oasis", "ocean", "octopus", "olive", "onion", "opera",
    "orange", "orchid", "otter", "oven", "owl", "oyster", "palace", "panda", "paper", "parrot", "peanut", "pebble",
    "pelican", "pepper", "piano", "pigeon", "pilot", "pirate", "planet", "plum", "pony", "potato", "puzzle", "pyramid",
    "quarry", "quartz", "queen", "quilt", "rabbit", "radar", "raven", "ribbon", "river", "robin", "rocket", "rooster",
    "rubber", "ruby", "saddle", "salmon", "sapphire", "sardine", "saturn", "scarf", "school", "seagull", "shadow",
    "silver", "snail", "soldier", "spider", "spoon", "squirrel", "statue", "stone", "summer", "swan", "symbol",
    "table", "tango", "teapot", "temple", "thunder", "tiger", "timber", "tomato", "tractor", "trumpet", "tulip",
    "tunnel", "turtle", "twig", "umbrella", "uncle", "unicorn", "valley", "vanilla", "velvet", "village", "violin",
    "vulture", "waffle", "wagon", "walnut", "walrus", "whistle", "willow", "window", "winter", "wizard", "wolf",
    "yacht", "yellow", "yoghurt", "zebra", "zigzag", "zipper",
];

/// The words of six bytes.
#[must_use]
pub fn six(bytes: [u8; 6]) -> [&'static str; 6] {
    bytes.map(|byte| WORDS[usize::from(byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_or_begins_another() {
        for (at, word) in WORDS.iter().enumerate() {
            assert!((3..=8).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase()), "{word}");
            for (other_at, other) in WORDS.iter().enumerate() {
                assert!(at == other_at || !other.starts_with(word), "{word} begins {other}");
            }
        }
    }

    #[test]
    fn every_byte_has_its_word() {
        assert_eq!(six([0, 0, 1, 1, 255, 255]), ["acorn", "acorn", "agent", "agent", "zipper", "zipper"]);
    }
}
