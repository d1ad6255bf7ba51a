# Homebrew formula, for a tap. Set url and sha256 to the archive of a release: `shasum -a 256 FILE`.
class Mq < Formula
  desc "Tool for people who work with MQTT brokers"
  homepage "https://example.org/mq"
  url "https://example.org/mq/archive/v0.1.0.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license any_of: ["MIT", "Apache-2.0"]

  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/mq.bash" => "mq"
    zsh_completion.install "completions/_mq"
    fish_completion.install "completions/mq.fish"
  end

  test do
    assert_match "all 100 messages arrived", shell_output("#{bin}/mq bench --embedded -c 5 --messages 100")
  end
end
