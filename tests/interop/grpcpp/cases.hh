/* SPDX-License-Identifier: Apache-2.0 */
/* cases.hh - what the clients in C++ share: cases that throw when something is wrong, as
 * tests/support/cases.py has them, and a channel to a server under test. */
#ifndef VTS_TESTS_INTEROP_GRPCPP_CASES_HH
#define VTS_TESTS_INTEROP_GRPCPP_CASES_HH

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

struct Case {
    const char *name;
    void (*run)();
};

inline void check(bool is_true, const std::string &what)
{
    if (!is_true)
        throw std::runtime_error(what);
}

template <typename Got, typename Wanted>
void expect_equal(const Got &got, const Wanted &wanted, const std::string &what)
{
    std::ostringstream text;

    text << what << ": wanted " << wanted << ", got " << got;
    check(got == wanted, text.str());
}

inline void expect(const grpc::Status &status, grpc::StatusCode code)
{
    expect_equal(static_cast<int>(status.error_code()), static_cast<int>(code),
                 status.error_message());
}

inline void expect_ok(const grpc::Status &status)
{
    expect(status, grpc::StatusCode::OK);
}

/* A context whose deadline is reached only when something is broken. */
struct Context : grpc::ClientContext {
    explicit Context(std::chrono::milliseconds timeout = std::chrono::seconds(20))
    {
        set_deadline(std::chrono::system_clock::now() + timeout);
    }
};

/* A connection of its own: the library would share that of an equal channel. */
inline std::shared_ptr<grpc::Channel> open_channel(const std::string &port,
                                                   const std::string &ca_file)
{
    std::ifstream file(ca_file);
    std::stringstream pem;
    grpc::SslCredentialsOptions options;
    grpc::ChannelArguments arguments;

    pem << file.rdbuf();
    options.pem_root_certs = pem.str();
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel("localhost:" + port, grpc::SslCredentials(options), arguments);
}

inline bool run_case(const Case &one)
{
    const auto start = std::chrono::steady_clock::now();

    try {
        one.run();
    } catch (const std::exception &error) {
        std::cout << "FAIL " << one.name << ": " << error.what() << std::endl;
        return false;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::cout << "ok   " << one.name << " (" << took.count() << " s)" << std::endl;
    return true;
}

/* The exit code. */
inline int run_cases(const char *name, const std::vector<Case> &cases)
{
    size_t passed = 0;

    for (const Case &one : cases)
        passed += run_case(one) ? 1 : 0;
    std::cout << name << ": " << passed << " passed, " << cases.size() - passed << " failed"
              << std::endl;
    return passed == cases.size() ? 0 : 1;
}

#endif
