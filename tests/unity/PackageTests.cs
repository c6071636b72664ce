// The package's own tests, run as the Unity Test Framework runs them.

using System;
using System.Collections;
using System.Reflection;
using NUnit.Framework;
using StandIn;
using UnityEngine.TestTools;

static class PackageTests
{
    public static void ThePackagesPlayModeTestsPass()
    {
        PlayMode.Enter();
        RunAll(Assembly.Load("ArrSession.Tests"), 12);
    }

    public static void ThePackagesEditorTestsPass()
    {
        RunAll(Assembly.Load("ArrSession.Editor.Tests"), 3);
    }

    static void RunAll(Assembly assembly, int atLeast)
    {
        int ran = 0;
        foreach (Type type in assembly.GetTypes())
        {
            foreach (MethodInfo method in type.GetMethods())
            {
                bool test = method.IsDefined(typeof(TestAttribute), false);
                if (!test && !method.IsDefined(typeof(UnityTestAttribute), false)) continue;
                Run(type, method);
                ran++;
            }
        }
        Check.That(ran >= atLeast, "there are " + ran + " tests");
    }

    static void Run(Type type, MethodInfo test)
    {
        object fixture = Activator.CreateInstance(type);
        Engine.Log.Clear();
        try
        {
            Call(fixture, typeof(SetUpAttribute));
            IEnumerator frames = test.Invoke(fixture, null) as IEnumerator;
            if (frames != null) Stage.Until(delegate { return !frames.MoveNext(); }, test.Name + " ends");
            Call(fixture, typeof(TearDownAttribute));
            // As in Unity, an error in the console fails the test.
            foreach (string line in Engine.Log) Check.That(!line.StartsWith("error") && !line.StartsWith("exception"), "it logs " + line);
        }
        catch (Exception thrown)
        {
            throw new Exception(type.Name + "." + test.Name + ": " + (thrown is TargetInvocationException ? thrown.InnerException : thrown));
        }
    }

    static void Call(object fixture, Type attribute)
    {
        foreach (MethodInfo method in fixture.GetType().GetMethods())
        {
            if (method.IsDefined(attribute, false)) method.Invoke(fixture, null);
        }
    }
}
