#include "pool.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#ifndef _WIN32
#include <unistd.h>
#endif

namespace {

struct Pool {
    std::mutex caller;  // one job at a time
    std::mutex mutex;
    std::condition_variable wake, done;
    const std::function<void(int64_t)>* task = nullptr;
    std::atomic<int64_t> next{0};
    int64_t count = 0;
    int wanted = 0, busy = 0, started = 0;
    uint64_t job = 0;

    void drain(const std::function<void(int64_t)>& work, int64_t end) {
        for (int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < end;) work(i);
    }

    void worker(int index) {
        uint64_t seen = 0;
        std::unique_lock<std::mutex> lock(mutex);
        for (;;) {
            wake.wait(lock, [&] { return job != seen && task && index < wanted; });
            seen = job;
            const auto* work = task;
            const int64_t end = count;
            lock.unlock();
            drain(*work, end);
            lock.lock();
            if (--busy == 0) done.notify_one();
        }
    }

    void run(int64_t items, int helpers, const std::function<void(int64_t)>& work) {
        std::lock_guard<std::mutex> one_job(caller);
        {
            std::lock_guard<std::mutex> lock(mutex);
            try {
                for (; started < helpers; started++)
                    std::thread([this, index = started] { worker(index); }).detach();
            } catch (const std::system_error&) {
                // Fewer threads than wished: the caller works the queue off all the same.
            }
            wanted = busy = helpers < started ? helpers : started;
            task = &work, count = items, job++;
            next.store(0, std::memory_order_relaxed);
        }
        wake.notify_all();
        drain(work, items);
        std::unique_lock<std::mutex> lock(mutex);
        done.wait(lock, [&] { return busy == 0; });
        task = nullptr;
    }
};

Pool& pool() {
    // Never destroyed: the threads sleep until the process ends. A forked child has no threads, so it
    // starts its own pool.
    static Pool* current = new Pool;
#ifndef _WIN32
    static pid_t owner = getpid();
    if (owner != getpid()) owner = getpid(), current = new Pool;
#endif
    return *current;
}

}  // namespace

void parallel_for(int64_t count, int threads, const std::function<void(int64_t)>& task) {
    const int64_t helpers = (threads < count ? threads : count) - 1;
    if (helpers <= 0) {
        for (int64_t i = 0; i < count; i++) task(i);
        return;
    }
    pool().run(count, (int)helpers, task);
}
