// SPDX-License-Identifier: MIT

import UMemcachedCommands

@main
enum UMemcached {
    static func main() {
        Program.run(CommandLine.arguments)
    }
}
