// swift-tools-version: 6.2
// SPDX-License-Identifier: MIT

import PackageDescription

/// Every Swift target is held to the same rules: language mode 6, and a warning is an error.
let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]

/// The release tool needs libc and libnl at run time and nothing else: C++'s and the compiler's libraries go inside.
let alone = [
    "-Xclang-linker", "-static-libgcc", "-L\(Context.packageDirectory)/Sources/umemcached/link", "-Xlinker", "-s",
]

/// `KMC_SANITIZE=undefined` builds the core so that undefined behaviour ends the program; SwiftPM has an option for
/// addresses only. Tests/Core/run-differential sets it.
let sanitizes = Context.environment["KMC_SANITIZE"] == "undefined"
let coreSanitizer: [CSetting] =
    sanitizes ? [.unsafeFlags(["-fsanitize=undefined", "-fno-sanitize-recover=all"])] : []

let package = Package(
    name: "kmemcache",
    products: [
        .library(name: "KMCProtocolModel", targets: ["KMCProtocolModel"]),
        .library(name: "KMCConformance", targets: ["KMCConformance"]),
        .executable(name: "umemcached", targets: ["umemcached"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    ],
    targets: [
        .target(name: "KMCProtocolModel", swiftSettings: strict),
        .target(name: "KMCConformance", dependencies: ["KMCProtocolModel"], swiftSettings: strict),
        .testTarget(name: "KMCProtocolModelTests", dependencies: ["KMCProtocolModel"], swiftSettings: strict),
        .testTarget(
            name: "KMCConformanceTests", dependencies: ["KMCConformance", "KMCProtocolModel"], swiftSettings: strict),
        .systemLibrary(name: "CLinux"),
        .target(name: "KMCBench", dependencies: ["CLinux"], swiftSettings: strict),
        .testTarget(name: "KMCBenchTests", dependencies: ["KMCBench"], swiftSettings: strict),
        .systemLibrary(name: "CKMemcacheUAPI"),
        // The core that the module is built from, in user space. For tests and bench only (licences).
        .target(
            name: "CKMCCore", path: "kmod", sources: ["core", "sim"], publicHeadersPath: "sim/include",
            cSettings: [.headerSearchPath(".")] + coreSanitizer),
        .testTarget(
            name: "CoreDifferentialTests", dependencies: ["CKMCCore", "KMCProtocolModel"],
            path: "Tests/Core/Differential", swiftSettings: strict),
        .systemLibrary(name: "CLibNL", pkgConfig: "libnl-genl-3.0", providers: [.apt(["libnl-genl-3-dev"])]),
        .target(name: "KMCControl", dependencies: ["CKMemcacheUAPI", "CLibNL"], swiftSettings: strict),
        .target(
            name: "UMemcachedCommands",
            dependencies: [
                "KMCControl", "KMCConformance", "KMCBench", "CKMemcacheUAPI", "CLinux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "umemcached", dependencies: ["UMemcachedCommands"], exclude: ["link"], swiftSettings: strict,
            linkerSettings: [.unsafeFlags(alone, .when(configuration: .release))]),
        .target(
            name: "KMCControlMock", dependencies: ["KMCControl"], path: "Tests/KMCControlMock", swiftSettings: strict),
        .testTarget(
            name: "KMCControlTests", dependencies: ["KMCControl", "KMCControlMock", "CKMemcacheUAPI"],
            swiftSettings: strict),
        .testTarget(
            name: "UMemcachedCommandsTests", dependencies: ["UMemcachedCommands", "KMCControl", "KMCControlMock", "KMCBench"],
            exclude: ["Golden"], swiftSettings: strict),
    ]
)

// With sanitizers only what compares the core with the model is built: `swift test` would build all tests there are.
if sanitizes {
    let compared = ["CKMCCore", "KMCProtocolModel", "CoreDifferentialTests"]
    package.targets.removeAll { !compared.contains($0.name) }
    package.products.removeAll { $0.name != "KMCProtocolModel" }
}
